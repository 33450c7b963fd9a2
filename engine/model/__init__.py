"""The words every room shares: quanta, instruments, errors, clocks.  Imports nothing of ours."""
