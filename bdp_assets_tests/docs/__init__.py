"""The documentation as something that can be wrong: pages, links, commands to run, the built site."""
