/**
 * Texts of a given form: {@link dev.apus.structure.Structure} says which, and a sampling that is
 * given one lets a model write nothing else.
 */
package dev.apus.structure;
