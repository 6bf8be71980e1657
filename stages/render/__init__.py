"""`render`: what exactly the loss will be computed on."""
