"""The main job played from founding to settlement, with four attacks, through the nodes' own REST APIs.

The story is written once and runs over both ledgers; the scenario tests play the very same functions. Nothing in
here decides anything: every figure shown is read back from commit statuses, blocks and the nodes' answers.
"""
