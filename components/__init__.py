"""Components: graph nodes with named events, one file each."""
