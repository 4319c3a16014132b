# The words of the workshop. `make test` does everything from a fresh clone.

.PHONY: help setup build check test

help:
	@echo "make test    set up, check, build, run all tests"
	@echo "make check   formatting, tidy rules, generated code"
	@echo "make build   debug build"

setup:
	@deploy/dev/setup.sh

build: setup
	@swift build

check: setup
	@deploy/dev/check.sh

test: setup
	@deploy/dev/test.sh
