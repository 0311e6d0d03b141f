"""What pages, summaries and figures are made of, whatever they report on."""
