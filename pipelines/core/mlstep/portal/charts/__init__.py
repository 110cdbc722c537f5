"""Pictures as inline SVG; each carries its numbers in a table below it and in titles on hover."""
