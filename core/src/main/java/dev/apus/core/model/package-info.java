/**
 * What a model is: the architecture document, the interfaces that mixers implement, and the network
 * that an assembler builds of them.
 */
package dev.apus.core.model;
