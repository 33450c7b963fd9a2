"""The control process: owns shared memory and the control socket, supervises all others."""
