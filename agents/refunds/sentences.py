"""Sentences of the refunds agent about an order, kept in English and told in the reader's language. Pure.

Some are for the customer too: they go into a letter as they are kept.
"""

from portal.retold import kept

SENT_BACK = kept("Order %(order)s is %(status)s; its money has been sent back or is on its way.")
NOT_PENDING = kept("Order %(order)s is %(status)s, and only a pending order can be cancelled.")
NOT_DELIVERED = kept("Order %(order)s is %(status)s, and only a delivered order can be returned.")
WHOLE_ORDER = kept("A cancellation covers all of order %(order)s. Shall the whole order be cancelled?")
OTHER_REASON = kept("Order %(order)s can only be cancelled because it is no longer needed or was ordered by mistake.")
WHICH_REASON = kept("Why shall order %(order)s be cancelled: is it no longer needed, or was it ordered by mistake?")
STILL_PENDING = kept(
    "Order %(order)s is pending. Shall it be cancelled: as no longer needed, or as ordered by mistake?"
)
BAD_PAYMENTS = kept("The payments of order %(order)s do not fit its rows or the customer's methods.")
BACK_TO = kept("If order %(order)s is cancelled, its money goes back to %(method)s. Shall we cancel it?")
REFUNDED = kept("The refund for order %(order)s has been made or is already being worked on.")
PART_REFUNDED = kept("Part of order %(order)s has been refunded or is about to be; it must be told apart by hand.")
ONLY_TO = kept(
    "A return can only be paid back to %(method)s, which the order was paid with, or to a gift card you already hold."
)
WHERE_TO = kept(
    "Where shall the money go: to %(method)s, which the order was paid with, or to a gift card you already hold?"
)
WHICH_NUMBER = kept("We find no single order %(order)s under your account. Which order number is it?")
WHICH_CANCELLED = kept("Which order shall be cancelled, and is it no longer needed or was it ordered by mistake?")
WHICH_RETURNED = kept("Which order and which articles is it about, and where shall the money go?")
GO_AHEAD = kept("Do you want us to go ahead with order %(orders)s, and with what exactly?")
WHICH_ARTICLES = kept("Which articles of order %(order)s shall go back, and how many? It holds: %(articles)s.")

CARD_ENDING = kept("the %(brand)s ending in %(digits)s")
CARD_ON_FILE = kept("the card on file")
PAYPAL_ON_FILE = kept("the PayPal account on file")
GIFT_CARD = kept("the gift card %(card)s")

REASONS = (kept("no longer needed"), kept("ordered by mistake"))
DO_NOT_CANCEL = kept("do not cancel it")
STATUSES = (
    kept("pending"), kept("processed"), kept("delivered"), kept("cancelled"), kept("marked for return"),
    kept("return requested"), kept("exchange requested"),
)  # fmt: skip
KINDS = (kept("credit_card"), kept("gift_card"), kept("paypal"), kept("card"))
"""Of payment methods."""
