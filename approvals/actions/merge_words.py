"""What is said of a merge: its summaries, why a value stays, what stands against it. Kept in English."""

from portal.retold import kept

MERGE = kept("Merge %(other)s into %(contact)s")
TAKE_OUT = kept("Take %(other)s out of %(contact)s again")
PUT_BACK = kept("Put back values of %(contact)s that a merge changed")
# Why a value stays.
BOTH, ONLY_THIS, ONLY_OTHER = kept("both say so"), kept("only this one has it"), kept("only the other one has it")
LEFT_THERE, CHOSEN = kept("the other one's is left there"), kept("the other one's was chosen")
LOCKED, STAYING_FIRST = kept("a person locked it"), kept("the staying one's goes first")
# What stands against it.
LOCKED_HERE = kept("a person locked it on %(contact)s; it is not overwritten")
LOCKED_THERE = kept("a person locked it on %(contact)s; name it in `take`, or keep that one")
MERGED_ALREADY = kept("contact:%(other)s was merged into contact:%(into)s already")
MERGED_AWAY = kept("contact:%(other)s was merged into contact:%(into)s; undo that first, or merge into it")
MERGED = kept("contact:%(other)s was merged into contact:%(into)s")
NOT_MERGED = kept("contact:%(other)s is not merged into contact:%(into)s")
ODD_FIELD = kept("the field %(field)s has the name of something else; rename it first")
NO_FIELD, SAME = kept("contact:%(other)s has no %(field)s"), kept("is the same contact")
NO_VALUE, NO_VALUE_HERE = kept("%(field)s cannot become %(value)s"), kept("%(field)s cannot become %(value)s by this")
