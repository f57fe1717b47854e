"""A subset of SOQL: tokens, parser and compiler."""
