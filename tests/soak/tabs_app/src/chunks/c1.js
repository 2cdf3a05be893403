import './c1.css';

export const version = __VERSION__ + ' c1';
