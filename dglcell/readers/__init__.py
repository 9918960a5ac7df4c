"""Files that others made, read into plain records: metabolic models, gene lists, networks, screens, features."""
