"""Small inputs that dglcell computed itself."""
