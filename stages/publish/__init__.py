"""The stage `publish`: a page about the dataset, and documents for people, programs and auditors."""
