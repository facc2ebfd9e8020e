"""The study of 2019 (Strubell, Ganesh, McCallum, ACL 2019): its tables recomputed, and its method on one's own machine.

Functions of records and of packaged figures; which ledger the records are from is not known here.
"""
