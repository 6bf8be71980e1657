"""`evaluate`: is it better, where, and is that luck?"""
