import './c0.css';

export const version = __VERSION__ + ' c0';
