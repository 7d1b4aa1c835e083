"""What an operator's doctor looks at: settings come in, findings go out, each with how to mend it. Nothing is changed
and nothing is sent.
"""
