"""What the scenarios stand on: a stack, a stock client, relay-sim's control, raw sockets."""
