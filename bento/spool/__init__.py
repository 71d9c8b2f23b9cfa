"""The API's write-ahead spool: what it received and answered is on this machine's disk before it answers.

A call writes that a transaction came before it claims it, and what became of it before it answers. Both are
in the system's page cache then, which outlives the process (a power cut only with BDP_SPOOL_FSYNC). In the
background they go to the raw topic, in order, each transaction with its decision.

A process that was killed is followed by one that sends what is left. Of a transaction without an outcome it
sends what came: the stream claims it again, and decides where nobody has. What was under way is sent again:
the stream knows it by its claim.
"""
