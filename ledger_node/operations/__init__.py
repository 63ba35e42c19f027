"""What people can do with the contract, declared once: one row per command, list and report, as plain data.

The API's views, its description, the roles of tokens, the commands at the prompt and the page of the API follow from
these rows and from the contract's own records. This room decides nothing, opens nothing and answers nobody.
"""
