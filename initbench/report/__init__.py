"""Results -> what people and programs read. Nothing is printed, and no store is opened.

``views`` says what each command shows; ``render`` turns that into a format's text.
"""
