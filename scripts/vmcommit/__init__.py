"""What stands behind `vmcommit COMMAND`: measuring, analysing, judging and showing.

Imports run downwards: commands, show, analyse and gate, measure, base.
"""
