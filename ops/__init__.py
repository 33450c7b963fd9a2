"""What people touch: the command line, the screens, attach(), and the local venue servers."""
