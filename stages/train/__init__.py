"""`train`: which model did this data make?"""
