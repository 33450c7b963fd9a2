"""What every process does alike: attach, pin, beat, log, leave in order."""
