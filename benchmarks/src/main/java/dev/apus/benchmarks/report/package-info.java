/** What a measurement leaves behind: tables and charts in a page of Markdown. */
package dev.apus.benchmarks.report;
