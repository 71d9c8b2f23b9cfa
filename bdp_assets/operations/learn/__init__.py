"""The lessons of docs/learn: what each lets the learner build, and a look whether it is there."""
