"""The sample shop: its people, books, tickets and the processes that work on them. For demonstrations only."""
