/**
 * Charts as SVG files, drawn without fonts or a screen: servers have neither, and text that stays
 * text keeps the files small and the differences between two of them readable.
 */
package dev.apus.benchmarks.chart;
