"""Pages for people: what a browser shows of this node. They know no rule of their own and ask what the API answers."""
