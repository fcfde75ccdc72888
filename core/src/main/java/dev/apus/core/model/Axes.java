package dev.apus.core.model;

/**
 * Positions in the lines of a page: the row of one is the learned row of its line, followed by that
 * of its column.
 *
 * @param lineWidth values of a line's row
 */
public record Axes(int lines, int columns, int lineWidth) {}
