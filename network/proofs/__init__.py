"""What members of a channel have signed, checked from bytes alone: no connection, no settings, no trust in the bytes.

Whom to believe (organisations, consenters, policies) is always handed in, as a `Configuration`; nothing that is checked
supplies it. An answer is empty text when something holds, and says what does not otherwise.
"""
