"""What licences of sources demand, and which of them clash within a split. No legal advice."""
