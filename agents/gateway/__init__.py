"""The one way to language models: what is asked, of whom, for how much, and the record of each call."""
