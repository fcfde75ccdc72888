/** Weights as mixers ask for them: by their own short names, whatever the file calls them. */
package dev.apus.core.weight;
