"""What generate-protos.py and check-protos.py are made of."""
