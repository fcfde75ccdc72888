/** Texts by the hundred thousand, as vocabularies have them. */
package dev.apus.core.text;
