"""How help reads: which options a command shows at first, in which groups the rest stands, and two examples."""
