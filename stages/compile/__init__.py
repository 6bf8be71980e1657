"""What does a record mean, and where is each value in its text?"""
