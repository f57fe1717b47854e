"""The report page: one self-contained HTML file that a marketer can read, forward and print."""
