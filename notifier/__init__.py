"""Tells an account's owner what happens to their account, and forwards what they decide. See docs/architecture.md."""
