"""One file for each command, named as the command is: it reads its options and calls one public function."""
