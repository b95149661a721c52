"""Sound at the edge: files in and out, waveforms, and the store that owns them."""
