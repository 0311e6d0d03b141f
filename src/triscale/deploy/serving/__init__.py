"""The service over HTTP: what answers, how it is guarded, the page for a browser."""
