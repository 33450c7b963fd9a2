"""The vocabulary, the runtime, the detector and the control process."""
