"""The study of 2019 (Strubell, Ganesh, McCallum, ACL 2019): its tables recomputed, and its method on your own machine.

Functions of records and of packaged figures, which know nothing of ledgers.
"""
