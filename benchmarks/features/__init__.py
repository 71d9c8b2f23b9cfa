"""The Handbook's 12 window features over whole tables.

Every side is given the same two frames (`data.Given`: ids as strings, as the platform has them) and answers
the 12 columns as float64 arrays in the order of the rows. Turning ids into codes is part of each side's work.
"""
