"""Other frameworks: their own initializers, as rows beside ours."""
