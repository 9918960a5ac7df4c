"""Files that dglcell writes and reads back: cells, checkpoints, run folders."""
