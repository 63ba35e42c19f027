"""Papers that this organisation writes: invoices from facts (UBL, CII, Factur-X), and answers to invoices.

What is written is read again by the readers that everybody's verifier uses before it is given out. Pure: no node, no
ledger, no file; the libraries of the trade (factur-x, reportlab) write the XML and the page.
"""
